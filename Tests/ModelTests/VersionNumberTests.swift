import Model
import Testing

@Suite struct VersionNumberTests {
    @Test func versionsAreComparedByTheirNumbers() throws {
        for (less, more) in [("6.0.16", "6.2"), ("6.2.0", "6.10"), ("3.9.99", "3.38.0"), ("7", "7.0.1")] {
            let (less, more) = (try #require(VersionNumber(less)), try #require(VersionNumber(more)))
            #expect(less < more && !(more < less))
        }
        #expect(VersionNumber("7.0") == VersionNumber("7.0.0"))
        #expect(try #require(VersionNumber("7.0.15-rc1")) > .oldestRedis)
        #expect(try #require(VersionNumber("6.0.16")) < .oldestRedis)
        #expect(try #require(VersionNumber("3.37.2")) < .oldestSQLite)
        for text in ["", "x", "99999999999.1", "."] { #expect(VersionNumber(text) == nil) }
    }
}
