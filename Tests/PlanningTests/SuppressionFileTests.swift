import Model
import Planning
import Policy
import TestServers
import Testing

@Suite struct SuppressionFileTests {
    private func read(_ csv: String, channel: Channel? = nil, categories: KnownCategories? = nil) throws -> (
        rows: [Suppression], faults: [String], ignored: [String]
    ) {
        let folder = try TemporaryFolder()
        let path = try folder.write(csv, to: "s.csv")
        var defaults = SuppressionFile.Defaults(now: 77)
        defaults.channel = channel
        defaults.categories = categories
        var table = try SuppressionFile(path: path, defaults: defaults)
        var (rows, faults): ([Suppression], [String]) = ([], [])
        while let row = try table.next() {
            switch row {
            case .success(let one): rows.append(one)
            case .failure(let fault): faults.append(fault.description.replacing(path, with: "s.csv"))
            }
        }
        return (rows, faults, table.ignored)
    }

    @Test func columnsComeInAnyOrderAndMayBeMissing() throws {
        let found = try read("Category;ADDRESS;colour\nnews;A@example.com;red\n;b@example.com;\n", channel: .email)
        #expect(
            found.rows == [
                Suppression(Suppression.Key(.email, "a@example.com", category: "news"), reason: .imported, at: 77),
                Suppression(Suppression.Key(.email, "b@example.com"), reason: .imported, at: 77),
            ])
        #expect(found.faults.isEmpty && found.ignored == ["colour"])
    }

    @Test func aBadRowTellsFileLineAndFieldAndKeepsTheOthers() throws {
        let found = try read(
            "channel,address,category,expiry\nemail,a@example.com,,\nemail,nobody,,\nfax,a@b.de,,\nemail,\"b@example.com\",,soon\nemail\n")
        #expect(found.rows.map(\.key.address) == ["a@example.com"])
        #expect(found.faults.count == 4)
        #expect(found.faults[0].hasPrefix("s.csv:3: column 'address': 'nobody' is no address"))
        #expect(found.faults[1].hasPrefix("s.csv:4: column 'channel': 'fax' is not allowed"))
        #expect(found.faults[2].hasPrefix("s.csv:5: column 'expiry': 'soon' is no time"))
        #expect(found.faults[3].hasPrefix("s.csv:6: "))
    }

    @Test func aBadRowTellsAllItsFaults() throws {
        let found = try read(
            "channel,address,category,expiry\nemail,nobody,nws,soon\n", categories: KnownCategories(["news"]))
        let fault = try #require(found.faults.first)
        for part in ["s.csv:2: column 'address': 'nobody'", "; column 'expiry': 'soon' is no time", "; column 'category': 'nws'"] {
            #expect(found.faults.count == 1 && fault.contains(part), "\(fault)")
        }
    }

    @Test func aCategoryThatNobodyHasAddedIsABadRow() throws {
        let found = try read(
            "address,category\na@example.com,news\nb@example.com,nws\nc@example.com,\n", channel: .email,
            categories: KnownCategories(["news"]))
        #expect(found.rows.map(\.key.address) == ["a@example.com", "c@example.com"])
        #expect(found.faults.first?.hasPrefix("s.csv:3: column 'category': 'nws' is not a known category (did you mean 'news'?)") == true)
    }

    /// As an export wrote them for a spreadsheet.
    @Test func guardedValuesAreReadAsTheyWere() throws {
        let found = try read("address\n'=chat\n'+a-1\n'plain\n+49151\n", channel: .messenger)
        #expect(found.rows.map(\.key.address) == ["=chat", "+a-1", "'plain", "+49151"])
    }

    @Test(arguments: [
        ("address\na@b.de\n", "channel"), ("channel\nemail\n", "address"), ("channel,address,expirry\n", "did you mean 'expiry'"),
        ("channel,address,address\n", "stands twice"), ("", "header"),
    ])
    func aTableWithoutItsColumnsIsRefused(_ csv: String, _ part: String) {
        do {
            _ = try read(csv)
            Issue.record("read it")
        } catch { #expect("\(error)".contains(part), "\(error)") }
    }
}
