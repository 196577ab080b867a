enum TemplatesPlace {}
