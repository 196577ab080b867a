import Policy
import Testing

@Suite struct SyntheticDomainShareTests {
    @Test(arguments: [("0.4", 0.4), ("40%", 0.4), ("12.5 %", 0.125), ("0", 0), ("1", 1), ("100%", 1)])
    func aShareIsANumberOrAPercentage(text: String, share: Double) throws {
        #expect(try abs(SyntheticDomainShare("gmail.example", text).share - share) < 1e-12)
    }

    @Test(arguments: ["40", "-0.1", "101%", "%", "", "many", "nan", "inf", "+0.4"])
    func whatIsNoShareIsRefused(text: String) {
        #expect { try SyntheticDomainShare("gmail.example", text) } throws: { "\($0)".contains("is no share") }
    }

    @Test(arguments: ["gmail.example", "mx.gmail.example", "example.org", "a.example.com", "x-1.test"])
    func reservedDomainsAreTaken(name: String) throws {
        #expect(try SyntheticDomainShare(name, "0.1").domain == name)
    }

    @Test(arguments: [
        "gmail.com", "example", "Gmail.example", "-a.example", "a..example", "*.example", "notexample.com", "exa mple.test", "",
    ])
    func othersAreRefusedSoThatNothingReachesAnybody(name: String) {
        #expect { try SyntheticDomainShare(name, "0.1") } throws: { "\($0)".contains("nothing may reach anybody") }
    }

    @Test func togetherTheyAreAtMostAllAndEachIsThereOnce() throws {
        let third = try ["a", "b", "c"].map { try SyntheticDomainShare("\($0).example", "0.3333333333333333") }
        try SyntheticDomainShare.check(third)
        try SyntheticDomainShare.check([SyntheticDomainShare("a.test", "40%"), SyntheticDomainShare("b.test", "60%")])
        #expect {
            try SyntheticDomainShare.check([SyntheticDomainShare("a.test", "60%"), SyntheticDomainShare("b.test", "0.5")])
        } throws: {
            "\($0)".contains("come to 110.0%")
        }
        #expect {
            try SyntheticDomainShare.check([SyntheticDomainShare("a.test", "0.1"), SyntheticDomainShare("a.test", "0.1")])
        } throws: {
            "\($0)".contains("there twice")
        }
    }
}
