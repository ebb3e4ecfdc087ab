Feature: An incident costs points, once
  Background:
    Given the customer Acme GmbH in Europe/Berlin, with Carla

  @rule-1.1
  Scenario: Opened with points on hand, it is charged
    Given Acme GmbH has bought 30 points
    When Carla writes "Printer"
    Then "Printer" is charged
    And Acme GmbH has 20 points
    And "Printer" shows
      | field       | value      |
      | charged     | 10         |
      | balance     | 20         |
      | next_expiry | 2027-11-23 |
      | sla_state   | running    |
    And agents read on "Printer": "10 charged"
    And nobody was told anything about "Printer"
    And it took one read and one write

  @rule-1.1
  Scenario: A webhook that comes again charges nothing
    Given Acme GmbH has bought 30 points
    When Carla writes "Printer"
    And every webhook comes again
    Then Acme GmbH has 20 points
    And "Printer" was decided: accepted

  @rule-1.1
  Scenario: What happens to a charged ticket charges nothing more
    Given Acme GmbH has bought 30 points
    When Carla writes "Printer"
    And an agent answers "Printer"
    And Carla replies to "Printer"
    And an agent edits "Printer"
    And an agent closes "Printer"
    Then Acme GmbH has 20 points

  @rule-1.3
  Scenario: What is not enough for an incident stays
    Given Acme GmbH has bought 15 points
    When Carla writes "First"
    And Carla writes "Second"
    Then "First" is charged
    And "Second" is awaiting points
    And Acme GmbH has 5 points

  @rule-1.4
  Scenario: Points expire a year after their purchase
    Given Acme GmbH has bought 10 points on 2025-11-24
    When 1 day passes
    And Carla writes "In time"
    Then "In time" is charged

  @rule-1.4
  Scenario: A day later they are gone
    Given Acme GmbH has bought 10 points on 2025-11-24
    When 2 days pass
    And Carla writes "Late"
    Then "Late" is awaiting points
    And Acme GmbH has 0 points

  @rule-1.5
  Scenario: A purchase that is posted twice is one lot
    Given Acme GmbH has bought 30 points as INV-1
    And Acme GmbH has bought 30 points as INV-1
    Then Acme GmbH has 30 points
