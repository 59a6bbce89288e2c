"""How fast `alp-daemon process` is, beside a bare scan of the file and what one would write instead."""
