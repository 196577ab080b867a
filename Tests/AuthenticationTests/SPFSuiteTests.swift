import Foundation
import Testing

@testable import Authentication

/// The test suite of RFC 7208 that the SPF project publishes (`rfc7208-tests.yml`, as pyspf 2.0.14 has it), turned into JSON.
@Suite struct SPFSuiteTests {
    struct Scenario: Decodable, Sendable {
        var title: String
        /// By name, kinds and values.
        var zone: [String: [[String]]]
        var tests: [Case]
    }

    struct Case: Decodable, Sendable {
        var name, host, sender, helo: String
        var results: [String]

        init(from decoder: any Decoder) throws {
            var list = try decoder.unkeyedContainer()
            (name, host) = (try list.decode(String.self), try list.decode(String.self))
            (sender, helo) = (try list.decode(String.self), try list.decode(String.self))
            results = try list.decode([String].self)
        }
    }

    /// A zone of the suite. A name with `TIMEOUT` is silent for kinds that it does not have.
    private struct Zone: NameLookup {
        let zone: [String: [[String]]]

        func answer(_ name: String, _ kind: RecordKind) async -> NameAnswer {
            let word = [.address4: "A", .address6: "AAAA", .alias: "CNAME", .pointer: "PTR", .mailExchanger: "MX", .text: "TXT"][kind]
            guard let records = zone[name] else { return .none }
            // Names are in small letters, as the protocol says.
            let found = records.filter { $0[0] == word }.map { word == "PTR" ? $0[1].lowercased() : $0[1] }
            if !found.isEmpty { return .records(found) }
            if let alias = records.first(where: { $0[0] == "CNAME" }) { return await answer(alias[1].lowercased(), kind) }
            return records.contains { $0[0] == "TIMEOUT" } ? .failed("no answer") : .none
        }
    }

    @Test("The public suite has the results that RFC 7208 asks for")
    func suite() async throws {
        let scenarios = try JSONDecoder().decode([Scenario].self, from: Data(PackageResources.rfc7208_tests_txt))
        var count = 0
        for scenario in scenarios {
            // `p` is not looked up, as section 7.2 advises.
            for test in scenario.tests where test.name != "p-macro-multiple" {
                let sender = test.sender.isEmpty ? "postmaster@\(test.helo)" : test.sender
                let domain = sender.split(separator: "@").last.map(String.init)?.lowercased() ?? ""
                var check = SPFCheck(
                    Zone(zone: scenario.zone), address: SenderAddress(test.host),
                    sender: sender.hasPrefix("@") ? "postmaster\(sender)" : sender, helo: test.helo)
                let result = await check.run(domain)
                #expect(test.results.contains(result.rawValue), "\(scenario.title): \(test.name)")
                count += 1
            }
        }
        #expect(count > 150)
    }
}
