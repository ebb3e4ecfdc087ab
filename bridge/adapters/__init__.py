"""One module per helpdesk vendor, and the contract that they share."""
