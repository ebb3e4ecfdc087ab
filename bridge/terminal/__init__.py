"""What a person sees in a terminal: lines, tables, and the values that several commands show."""
