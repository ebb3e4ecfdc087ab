Feature: A ticket that moves to another account
  Background:
    Given the customer Acme GmbH in Europe/Berlin, with Carla
    And the customer Maple Inc in America/Toronto, with Mike

  @rule-2.6
  Scenario: Charged and open, it is paid by its new account
    Given Acme GmbH has bought 10 points
    And Maple Inc has bought 10 points
    When Carla writes "Printer"
    And an agent gives "Printer" to Mike
    Then "Printer" is charged
    And Acme GmbH has 10 points
    And Maple Inc has 0 points

  @rule-2.6
  Scenario: A hold moves along, and only its new account can release it
    When Carla writes "Printer"
    And an agent gives "Printer" to Mike
    And Acme GmbH buys 10 points
    Then "Printer" is awaiting points
    When Maple Inc buys 10 points
    Then "Printer" is charged
    And Acme GmbH has 10 points
    And Maple Inc has 0 points

  @rule-2.6
  Scenario: Closed, it is flagged, and the charge stays
    Given Acme GmbH has bought 10 points
    And Maple Inc has bought 10 points
    When Carla writes "Printer"
    And an agent closes "Printer"
    And 1 hour passes
    And an agent gives "Printer" to Mike
    Then Acme GmbH has 0 points
    And Maple Inc has 10 points
