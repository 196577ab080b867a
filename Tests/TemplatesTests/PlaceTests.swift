import Testing

@Suite struct TemplatesPlace {
    @Test func builds() {}
}
