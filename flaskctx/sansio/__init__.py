"""Where Flask keeps what it shares with Quart: here, other names of the classes themselves."""
