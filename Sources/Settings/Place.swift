enum SettingsPlace {}
