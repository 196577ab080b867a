import Policy
import Testing

@Suite struct KnownCategoriesTests {
    @Test func whatIsKnownAndWhatIsNoneDoes() {
        let known = KnownCategories(["news", "offers"])
        #expect(known.fault("news") == nil && known.fault("") == nil)
    }

    @Test func aMisspeltOneIsToldTheNearestAndHowANewOneIsAdded() {
        let known = KnownCategories(["newsletter", "offers"], ledger: "/l.sqlite")
        #expect(
            known.fault("newsleter")
                == "'newsleter' is not a known category (did you mean 'newsletter'?). A new one is added by: "
                + "flotilla suppressions categories add newsleter --ledger /l.sqlite")
        #expect(known.fault("bills")?.contains("(known: newsletter, offers)") == true)
        #expect(KnownCategories([]).fault("news")?.contains("(there are none yet)") == true)
        #expect(KnownCategories((0..<40).map { "category-\($0)" }).fault("x")?.contains("category-9 and 30 more)") == true)
    }
}
