"""From the first byte of a file to its place in the queue, by whichever way it comes."""
