"""`dlr evidence`: all that is known of one person, made ready for an auditor."""
