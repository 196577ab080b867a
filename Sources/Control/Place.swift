enum ControlPlace {}
