import Foundation
import Model
import Testing

@Suite struct PublishedTrackerTests {
    private let tracker = PublishedTracker(url: "https://t.example", keys: [1: "a", 2: "b"])

    @Test(
        arguments: [
            ("https://t.example", 2, "b", nil), ("https://t.example", 1, "a", nil),
            ("https://u.example", 2, "b", "tracker.url of the planner"),
            ("https://t.example", 2, "a", "another key has that number"), ("https://t.example", 3, "b", "tracker.keys does not have"),
        ] as [(String, Int, String, String?)])
    func linksThatNoTrackerWouldKnowAreToldOf(_ url: String, _ key: Int, _ check: String, _ expected: String?) {
        let fault = tracker.fault(urls: ["https://x.example", url], key: key, check: check)
        #expect(expected.map { fault?.contains($0) == true } ?? (fault == nil), "\(fault ?? "")")
    }

    @Test func whereThePlannerHasNoKeysTheAddressAloneIsCompared() {
        let tracker = PublishedTracker(url: "https://t.example", keys: [:])
        #expect(tracker.fault(urls: ["https://t.example"], key: 9, check: "z") == nil)
        #expect(tracker.fault(urls: ["http://t.example"], key: 9, check: "z") != nil)
    }

    @Test func itTravelsWithTheMailing() throws {
        let mailing = Mailing(name: "m", channel: .email, provider: "relay")
        let read = try JSONDecoder().decode(
            MailingDefinition.self, from: JSONEncoder().encode(MailingDefinition(mailing, number: 7, tracker: tracker)))
        #expect(read.tracker == tracker && read.number == 7)
        let plain = try JSONDecoder().decode(MailingDefinition.self, from: JSONEncoder().encode(MailingDefinition(mailing)))
        #expect(plain.tracker == nil)
    }
}
