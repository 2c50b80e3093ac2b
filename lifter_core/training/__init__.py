"""Training the lifters: mocap, bodies, virtual cameras, detector noise, trainer, evaluation. Needs torch."""
