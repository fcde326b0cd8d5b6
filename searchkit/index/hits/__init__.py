"""What a hit shows beside the answer: the best sentence, and whether it is close at all."""
