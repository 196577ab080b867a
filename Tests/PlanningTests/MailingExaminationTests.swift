import Foundation
import Ledger
import Model
import Planning
import Policy
import Templates
import TestServers
import Testing

@Suite struct MailingExaminationTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func examine(_ yaml: String, recipients: String = "id,email,name\n1,a@example.com,Ada\n") throws -> MailingExamination {
        try folder.write(recipients, to: "r.csv")
        return MailingExamination(try folder.write(yaml, to: "m.yaml"), overrides: .init(), providers: [:], tracker: nil)
    }

    private static let whole = """
        name: m
        channel: email
        from: a@example.com
        subject: "Hello {{name}}"
        text: "Dear {{name}}"
        provider: smtp://127.0.0.1:25
        recipients: {file: r.csv, id: id, address: email}
        """

    @Test("A good mailing has a job, and no fault")
    func good() throws {
        let examination = try examine(Self.whole)
        #expect(examination.findings.isEmpty)
        #expect(examination.job?.mailing.fields == ["id", "email", "name"])
    }

    @Test("Faults of mailing file, provider and templates are found together")
    func together() throws {
        let examination = try examine(
            Self.whole.replacing("Dear {{name}}", with: "Dear {{nam}}").replacing("smtp://127.0.0.1:25", with: "relay")
                + "\nspeed: fast\nutm: {source: x}\n")
        #expect(examination.job == nil)
        #expect(examination.findings.map(\.check).sorted() == ["mailing", "mailing", "provider", "template"])
        let template = examination.findings.first { $0.check == "template" }
        #expect(template?.line == 5)
        #expect(template?.advice.contains("did you mean 'name'") == true)
        #expect(examination.findings.first?.line == 8)
    }

    @Test("What a fault leads to is no fault of its own", arguments: ["provider: smtp://127.0.0.1:25", "from: a@example.com"])
    func once(line: String) throws {
        let key = line.prefix { $0 != ":" }
        let examination = try examine(Self.whole.replacing(line, with: "\(key): '<'"))
        #expect(examination.findings.count == 1)
        #expect(examination.findings.first?.what.hasPrefix("\(key): ") == true)
        #expect(examination.prepared != nil)
        #expect(examination.job == nil)
    }

    @Test(
        "A column that is missing is a fault of the recipients' file", arguments: ["id,mail,name\n1,a@example.com,Ada\n", "id,email\n", ""])
    func column(recipients: String) throws {
        let examination = try examine(Self.whole, recipients: recipients)
        #expect(examination.findings.map(\.check) == ["recipients"])
        #expect(!examination.hasRecipients)
    }

    @Test("Rows are judged as the planner judges them, and the first of each reason are kept")
    func rows() async throws {
        var text = "id,email,name\n"
        for row in 1...7 { text += "\(row),,x\n" }
        text += "8,a@example.com,x\n9,A@example.com,x\n10,nobody,x\n11,b@example.com,x\n"
        let job = try #require(try examine(Self.whole, recipients: text).job)
        let check = try await RecipientCheck(job.source, job.mailing, job.provider, suppressed: nil, now: 0)
        #expect(check.rows == 11)
        #expect(check.recipients == 2)
        #expect(check.excluded.map(\.reason) == [.duplicate, .invalidAddress, .noAddress])
        #expect(check.excluded.map(\.count) == [1, 1, 7])
        #expect(check.excluded.last?.first.map(\.row) == [1, 2, 3])
        #expect(check.first?.count == 2)
    }

    @Test("A recipient is found by address in any form and by id, with the batch that it would be in")
    func search() throws {
        let yaml = Self.whole + "\nbatch_size: 2\n"
        let text = "id,email,name\nx,,n\n1,a@example.com,n\n2,b@example.com,n\nc-3,c@bücher.example,n\n"
        let job = try #require(try examine(yaml, recipients: text).job)
        func place(_ key: String?) throws -> [Int] {
            guard case .found(let found) = try RecipientSearch.find(key, in: job) else { return [] }
            return [found.batch, found.index]
        }
        #expect(try place(nil) == [0, 0])
        #expect(try place("B@Example.com") == [0, 1])
        #expect(try place("c-3") == [1, 0])
        #expect(try place("c@xn--bcher-kva.example") == [1, 0])
        guard case .excluded(let row) = try RecipientSearch.find("x", in: job) else { return #expect(Bool(false), "it is excluded") }
        #expect(row.reason == .noAddress)
        guard case .unknown = try RecipientSearch.find("d@example.com", in: job) else { return #expect(Bool(false), "nobody has it") }
    }
}
