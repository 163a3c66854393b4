"""The vault: originals of what redaction replaced, sealed, for those applications that asked for it. Off by default."""
