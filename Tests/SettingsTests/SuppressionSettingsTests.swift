import Policy
import Testing

@testable import Settings

/// For how long addresses are suppressed that messages came back from.
@Suite struct SuppressionSettingsTests {
    @Test func eachReasonHasItsExpiry() throws {
        #expect(try SettingsLoadTests().load("").suppressions == SuppressionRules())
        let settings = try SettingsLoadTests().load(
            """
            suppressions:
              soft_bounces: 0
              expiry:
                unknown_user: 365d
                moved: 30d
                inactive: 1d
            """, ["FLOTILLA_SUPPRESSIONS_EXPIRY_UNKNOWN_HOST": "2d", "FLOTILLA_SUPPRESSIONS_EXPIRY_SOFT_BOUNCES": "3d"])
        var rules = SuppressionRules()
        let day = Duration.seconds(86_400)
        (rules.softBounces, rules.unknownUser, rules.moved, rules.inactive) = (0, day * 365, day * 30, day)
        (rules.unknownHost, rules.softExpiry) = (day * 2, day * 3)
        #expect(settings.suppressions == rules)
    }
}
