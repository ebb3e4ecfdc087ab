Feature: A ticket without points is held
  A helpdesk has no hook before a ticket exists, so the gate comes at once after its creation.

  Background:
    Given held tickets are set to pending
    And the customer Acme GmbH in Europe/Berlin, with Carla

  @rule-1.2
  Scenario: It is not worked, has no clock, and its customer is told once
    When Carla writes "Printer"
    Then "Printer" is awaiting points
    And "Printer" is pending
    And no first answer to "Printer" is promised
    And Carla was told about "Printer": "has 0 on hand"
    And it took one read and one write

  @rule-1.6
  Scenario: A purchase releases it, and the clock starts then
    When Carla writes "Printer"
    And 2 hours pass
    And Acme GmbH buys 10 points
    Then "Printer" is charged
    And "Printer" is open
    And Acme GmbH has 0 points
    And Carla was told 2 times about "Printer"
    And Carla was told about "Printer": "our first answer by 2026-11-23 16:00 Europe/Berlin time"
    And the first answer to "Printer" is due at 2026-11-23 16:00 in Europe/Berlin

  @rule-1.6
  Scenario: The oldest goes first, as far as the points reach
    When Carla writes "First"
    And 1 hour passes
    And Carla writes "Second"
    And Acme GmbH buys 10 points
    Then "First" is charged
    And "Second" is awaiting points

  @rule-1.6
  Scenario: Reminders on days 1, 7 and 13; on day 14 it is declined without a charge
    When Carla writes "Printer"
    And 1 day passes
    Then Carla was told 2 times about "Printer"
    When 6 days pass
    Then Carla was told 3 times about "Printer"
    When 6 days pass
    Then Carla was told 4 times about "Printer"
    When 1 day passes
    Then "Printer" is declined
    And "Printer" is closed
    And Carla was told 5 times about "Printer"
    And Acme GmbH has 0 points

  @rule-1.6
  Scenario: Points that come too late are not taken for it
    When Carla writes "Printer"
    And 15 days pass
    And Acme GmbH buys 10 points
    Then "Printer" is declined
    And Acme GmbH has 10 points

  @rule-1.6
  Scenario: Closed while it waited, it is declined
    When Carla writes "Printer"
    And an agent closes "Printer"
    And Acme GmbH buys 10 points
    Then "Printer" is declined
    And Acme GmbH has 10 points

  @rule-1.6
  Scenario: Its customer writes to it: it goes on waiting, and nobody is told
    When Carla writes "Printer"
    And Carla replies to "Printer"
    Then "Printer" is pending
    And "Printer" is awaiting points
    And Carla was told 1 times about "Printer"

  @rule-1.6
  Scenario: An agent answers it: work without points, left to the agents
    When Carla writes "Printer"
    And an agent answers "Printer"
    Then "Printer" is for review
    And agents read on "Printer": "An agent answered while this request waited for points"
    When Acme GmbH buys 10 points
    And 15 days pass
    Then "Printer" is for review
    And Acme GmbH has 10 points
    And Carla was told 1 times about "Printer"

  @rule-1.6
  Scenario: A thank-you after that is no new hold
    When Carla writes "Printer"
    And an agent answers "Printer"
    And an agent closes "Printer"
    And Carla replies to "Printer"
    Then "Printer" is for review
    And "Printer" was decided: held, flagged, closed, reopened
    And Carla was told 1 times about "Printer"
