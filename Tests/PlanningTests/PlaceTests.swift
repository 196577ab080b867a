import Testing

@Suite struct PlanningPlace {
    @Test func builds() {}
}
