"""The service contract: what was bought, when it ends, what is given back; pure rules over entries."""
