"""Likeness: how much alike two answers are, and how often chance makes two so much alike."""
