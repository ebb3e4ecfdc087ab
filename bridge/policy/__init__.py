"""The rules, pure: values in, decisions out, `now` is an argument."""
