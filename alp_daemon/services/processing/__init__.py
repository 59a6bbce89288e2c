"""From the queue to the list: ``process`` is the story of one upload."""
