"""The use cases of setting up: plan and apply, prove, and look for what is wrong."""
