"""oppman's commands: a module for each noun, imported only when called."""
