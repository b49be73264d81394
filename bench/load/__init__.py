"""Many visitors at once: a bounded load of the app on this machine, and what it must hold."""
