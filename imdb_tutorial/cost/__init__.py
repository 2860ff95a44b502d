"""What a run costs, before it is begun: tokens, floating-point operations, bytes and hours."""
