"""Who comes to which webinar."""
