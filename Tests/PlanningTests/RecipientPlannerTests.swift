import Model
import Planning
import Policy
import Synthetic
import TestServers
import Testing

@Suite struct RecipientPlannerTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    func source(_ text: String, id: String = "id", address: String = "email", country: String? = nil) throws
        -> RecipientSource
    {
        RecipientSource(
            file: try folder.write(text, to: "recipients.csv"), format: .csv, id: id, address: address, country: country)
    }

    struct Plan: Equatable {
        var recipients: [[String]] = []
        var exclusions: [Exclusion] = []
        var sizes: [Int] = []
        var rows = 0
        var unverified = 0
    }

    func plan(_ planner: inout RecipientPlanner) throws -> Plan {
        var plan = Plan()
        var chunk = planner.makeChunk()
        while try planner.next(&chunk) {
            for row in 0..<chunk.recipients.count {
                plan.recipients.append((0..<chunk.recipients.width).map { chunk.recipients[row, $0] })
            }
            plan.exclusions += chunk.exclusions
            plan.sizes.append(chunk.recipients.count)
            plan.rows = chunk.rows
            plan.unverified += chunk.unverified
        }
        return plan
    }

    @Test func batchesAreCutByBytesToo() throws {
        let rows = (0..<10).map { "\($0),p\($0)@example.com,\(String(repeating: "x", count: 300))\n" }.joined()
        var planner = try RecipientPlanner(source: source("id,email,text\n" + rows), channel: .email, bounds: .init(bytes: 1_000))
        let plan = try plan(&planner)
        #expect(plan.sizes == [3, 3, 3, 1] && plan.recipients.count == 10 && plan.rows == 10)
        var again = try RecipientPlanner(
            source: source("id,email,text\n" + rows), channel: .email, bounds: .init(bytes: 1_000), after: .init(4))
        var chunk = again.makeChunk()
        #expect(try again.next(&chunk))
        #expect(chunk.recipients[0, 0] == "4" && chunk.rows == 7)
    }

    /// A control character takes six bytes in JSON.
    @Test func aRowThatIsTooLargeIsExcludedAlone() throws {
        let text = """
            id,email,text
            1,a@example.com,x
            2,b@example.com,\(String(repeating: "\u{1}", count: 200))
            3,c@example.com,x

            """
        // More than a batch should have: a batch by itself.
        var patient = try RecipientPlanner(source: source(text), channel: .email, bounds: .init(bytes: 1_000))
        let batches = try self.plan(&patient)
        #expect(batches.sizes == [1, 1, 1] && batches.exclusions.isEmpty && batches.recipients.map { $0[0] } == ["1", "2", "3"])
        var planner = try RecipientPlanner(source: source(text), channel: .email, bounds: .init(bytes: 1_000, recipientBytes: 1_200))
        let plan = try plan(&planner)
        #expect(plan.recipients.map { $0[0] } == ["1", "3"])
        #expect(plan.exclusions.map(\.row) == [2] && plan.exclusions.map(\.reason) == [.tooLarge])
        #expect(plan.exclusions.first?.detail.contains("1200 are the most") == true)
        // A column that no template names does not count.
        var small = try RecipientPlanner(
            source: source(text), channel: .email, keeping: [], bounds: .init(bytes: 1_000, recipientBytes: 1_200))
        #expect(try self.plan(&small).recipients.count == 3)
    }

    @Test func checksNormalisesAndSaysWhatIsExcluded() throws {
        var planner = try RecipientPlanner(
            source: source(
                """
                name,id,email,city
                Anna,7, Anna@Example.com ,Berlin
                Bob,8,bob@@example.com,Paris
                Cy,9,,Rome
                Dee,10,ANNA@example.COM,Oslo
                Eve,11,eve@example.org,"New
                York"
                """), channel: .email, bounds: .init(size: 10))
        #expect(planner.fields == ["id", "email", "name", "city"])
        let plan = try plan(&planner)
        #expect(
            plan.recipients == [
                ["7", "Anna@example.com", "Anna", "Berlin"], ["11", "eve@example.org", "Eve", "New\nYork"],
            ])
        #expect(
            plan.exclusions == [
                Exclusion(row: 2, reason: .invalidAddress, id: "8", address: "bob@@example.com", detail: "two @"),
                Exclusion(row: 3, reason: .noAddress, id: "9", address: ""),
                Exclusion(row: 4, reason: .duplicate, id: "10", address: "ANNA@example.COM", detail: "the address of row 1"),
            ])
        #expect(plan.rows == 5)
    }

    @Test func carriesOnlyTheColumnsThatAreWanted() throws {
        var planner = try RecipientPlanner(
            source: source("id,email,a,b,,c\n1,a@example.com,A,B,-,C\n"), channel: .email,
            keeping: ["c", "a", "unknown", "email"])
        #expect(planner.fields == ["id", "email", "a", "c"])
        #expect(planner.columns == ["id", "email", "a", "b", "", "c"])
        #expect(try plan(&planner).recipients == [["1", "a@example.com", "A", "C"]])
    }

    @Test func numbersTheRowsWhereThereIsNoIdColumn() throws {
        var planner = try RecipientPlanner(
            source: source("email,id\na@example.com,x\nbad,y\nb@example.com,z\n", id: ""), channel: .email)
        #expect(planner.fields == ["row_number", "email", "id"])
        let plan = try plan(&planner)
        #expect(plan.recipients == [["1", "a@example.com", "x"], ["3", "b@example.com", "z"]])
        #expect(plan.exclusions.map(\.id) == ["2"])
    }

    @Test func takesTelephoneNumbersOfTheDefaultCountry() throws {
        var planner = try RecipientPlanner(
            source: source("id,phone\n1,0170 1234567\n2,+49 170 1234567\n3,1\n4,+44 7700 900001\n", address: "phone", country: "DE"),
            channel: .sms)
        let plan = try plan(&planner)
        #expect(plan.recipients == [["1", "+491701234567"], ["4", "+447700900001"]])
        #expect(plan.exclusions.map(\.reason) == [.duplicate, .invalidAddress])
        #expect(plan.exclusions.map(\.detail) == ["the address of row 1", "too few digits for its country"])
        // A number for fiction is in no range that anybody has.
        #expect(plan.unverified == 1)
    }

    @Test(arguments: [Channel.webhook, .messenger]) func takesAnyAddress(channel: Channel) throws {
        var planner = try RecipientPlanner(
            source: source("id,key\n1, A b \n2,a b\n3,A b\n4,\"\"\n", address: "key"), channel: channel)
        let plan = try plan(&planner)
        #expect(plan.recipients == [["1", "A b"], ["2", "a b"]])
        #expect(plan.exclusions.map(\.reason) == [.duplicate, .noAddress])
    }

    @Test func goesOnBehindARowAsIfItHadNeverStopped() throws {
        var text: [UInt8] = []
        var synthetic = SyntheticRecipients(.init(count: 3_000, seed: 4, excluded: .init(invalid: 0.1, duplicates: 0.2, missing: 0.05)))
        synthetic.appendHeader(to: &text)
        while synthetic.appendRow(to: &text) {}
        let source = RecipientSource(
            file: try folder.write(text, to: "recipients.csv"), format: .csv, id: "id", address: "email")
        var whole = try RecipientPlanner(source: source, channel: .email, bounds: .init(size: 100))
        var chunk = whole.makeChunk()
        var seen = Plan()
        for _ in 0..<7 {
            #expect(try whole.next(&chunk))
            #expect(chunk.recipients.count == 100)
        }
        var resumed = try RecipientPlanner(source: source, channel: .email, bounds: .init(size: 100), after: .init(chunk.rows))
        seen = try plan(&whole)
        #expect(try plan(&resumed) == seen)
        #expect(seen.rows == 3_000)
        var past = try RecipientPlanner(source: source, channel: .email, after: .init(3_000))
        #expect(try plan(&past).sizes == [])
    }

    /// A list is one wherever it stands in the file, and a text that looks like one is none.
    @Test func aListBehindThousandsOfTextsIsAList() throws {
        var text = ""
        for row in 0..<3_000 {
            let tags = ["\"\"", "null", "\"[1]\"", "3"][row % 4]
            text += "{\"email\":\"p\(row)@example.com\",\"tags\":\(row == 2_500 ? " [\"a\", \"b\"]" : tags),\"n\":1}\n"
        }
        try folder.write(text, to: "r.ndjson")
        let yaml = """
            {name: m, channel: webhook, provider: 'http://127.0.0.1:9/x', body: '{"t":"{{#tags}}{{.}}{{/tags}}"}',
             recipients: {file: r.ndjson, address: email}}
            """
        let file = try MailingFile.load(folder.write(yaml, to: "m.yaml"))
        let job = try MailingPreparation.prepare(file, providers: [:])
        #expect(job.mailing.fields == ["id", "email", "tags", ValueKinds.field])
        #expect(job.mailing.nestedFields == ["id", "email", "tags"])
        var planner = try RecipientPlanner(source: job.source, channel: .webhook, keeping: Set(job.mailing.fields.dropFirst(2)))
        #expect(planner.fields == job.mailing.fields)
        let planned = try plan(&planner).recipients
        #expect(planned[2_500][2...] == ["[\"a\", \"b\"]", "--j"])
        #expect(planned.enumerated().allSatisfy { $0.offset == 2_500 || $0.element[3].isEmpty })
        #expect(planned[2][2] == "[1]")
    }

    @Test func everyRowIsARecipientOrAnExclusion() throws {
        for format in [RecipientSource.Format.csv, .ndjson] {
            for channel in [Channel.email, .sms] {
                var synthetic = SyntheticRecipients(
                    .init(
                        count: 20_000, seed: 8, channel: channel, format: format,
                        excluded: .init(invalid: 0.05, duplicates: 0.05, missing: 0.02)))
                var text: [UInt8] = []
                synthetic.appendHeader(to: &text)
                while synthetic.appendRow(to: &text) {}
                var planner = try RecipientPlanner(
                    source: RecipientSource(
                        file: try folder.write(text, to: "r.\(format)"), format: format, id: "id",
                        address: synthetic.columns[1]),
                    channel: channel)
                let plan = try plan(&planner)
                func count(_ reason: ExclusionReason) -> Int { plan.exclusions.count { $0.reason == reason } }
                #expect(plan.recipients.count == synthetic.counts.valid)
                #expect(count(.invalidAddress) == synthetic.counts.invalid)
                #expect(count(.duplicate) == synthetic.counts.duplicates)
                #expect(count(.noAddress) == synthetic.counts.missing)
                #expect(plan.sizes.dropLast().allSatisfy { $0 == 500 })
                #expect(plan.recipients.first?.count == 8)
            }
        }
    }

    @Test func aMillionDuplicatesComeInBoundedChunksAndSoon() throws {
        let text = "email\n" + String(repeating: "a@b.example\n", count: 1_000_000)
        var planner = try RecipientPlanner(source: source(text, id: ""), channel: .email)
        var chunk = planner.makeChunk()
        var recipients = 0
        var exclusions = 0
        let start = cpuTime()
        while try planner.next(&chunk) {
            #expect(chunk.exclusions.count <= PlannedChunk.exclusionLimit)
            recipients += chunk.recipients.count
            exclusions += chunk.exclusions.count
        }
        #expect(recipients == 1 && exclusions == 999_999)
        #expect(cpuTime() - start < 150)
    }

    @Test func anExclusionShowsOnlyTheStartOfAGiantAddress() throws {
        let giant = String(repeating: "字", count: 100_000)
        var planner = try RecipientPlanner(source: source("id,email\n1,\(giant)\n"), channel: .email)
        let exclusion = try #require(try plan(&planner).exclusions.first)
        #expect(exclusion.address.hasSuffix("字…") && exclusion.address.utf8.count <= 320)
        #expect(exclusion.detail == "more than 254 bytes")
    }
}
