Feature: Answered, closed and re-opened
  Background:
    Given the customer Acme GmbH in Europe/Berlin, with Carla
    And Acme GmbH has bought 20 points

  @rule-4.2
  Scenario: The first public answer keeps the promise
    When Carla writes "Printer"
    Then the first answer to "Printer" is due at 2026-11-23 14:00 in Europe/Berlin
    When 3 hours pass
    And an agent answers "Printer"
    Then the promise of "Printer" is met

  @rule-4.2
  Scenario: An internal note is no answer
    When Carla writes "Printer"
    And an agent writes a note on "Printer"
    Then the promise of "Printer" is running

  @rule-4.2
  Scenario: One business hour before the end it is at risk, and then broken
    When Carla writes "Printer"
    And 3 hours pass
    Then the promise of "Printer" is at risk
    When 2 hours pass
    Then the promise of "Printer" is breached

  @rule-5.6
  Scenario: A closure without an answer has promised nothing more
    When Carla writes "Printer"
    And an agent closes "Printer"
    And 2 days pass
    Then the promise of "Printer" is ended

  @rule-5.2
  Scenario: Inside 90 days a re-open is free, with a new clock
    When Carla writes "Printer"
    And an agent answers "Printer"
    And an agent closes "Printer"
    And 1 day passes
    And Carla replies to "Printer"
    Then "Printer" is a free re-open
    And the promise of "Printer" is running
    And Acme GmbH has 10 points

  @rule-5.2 @zammad
  Scenario: Outside it is a new incident
    When Carla writes "Printer"
    And an agent closes "Printer"
    And 91 days pass
    And Carla replies to "Printer"
    Then "Printer" is charged
    And Acme GmbH has 0 points

  @rule-5.3 @zendesk
  Scenario: A follow-up inside its root's 90 days is a free re-open
    When Carla writes "Printer"
    And an agent closes "Printer"
    And 30 days pass
    And Carla replies to "Printer"
    Then the follow-up to "Printer" is a free re-open
    And Acme GmbH has 10 points
