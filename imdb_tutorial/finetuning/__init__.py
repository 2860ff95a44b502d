"""BERT itself learns, with the Hugging Face Trainer; and is saved."""
