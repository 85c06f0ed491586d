"""Training and evaluation; imported only inside their commands, with the extra `train`."""
