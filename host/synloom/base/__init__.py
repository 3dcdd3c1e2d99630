"""What everything else stands on: errors, checks of arguments, progress, whole files, requirements."""
