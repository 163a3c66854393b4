"""Who may do what: roles per application, accounts, sessions, tokens, throttling of logins, single sign-on."""
