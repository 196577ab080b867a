import Foundation
import TestServers
import Testing

/// Customers as their users meet them.
@Suite struct CustomersCommandTests {
    private let folder: TemporaryFolder
    private let ledger: String

    init() throws {
        folder = try TemporaryFolder()
        ledger = folder.path("ledger.sqlite")
    }

    private func customers(_ arguments: String...) async throws -> Program.Outcome {
        try await Program.run(["customers"] + arguments + ["--ledger", ledger])
    }

    @Test func aTableIsImportedShownExportedAndImportedAgain() async throws {
        let table = try folder.write(
            """
            Nr;email;sms;age;city;likes;note
            7;Ann@Example.com;0151 12345678;41;=1+1;red|blue;x
            8;no address;;;"Köln; Süd";;y

            """, to: "c.csv")
        let unknown = try await customers("import", table)
        #expect(unknown.status == 1 && unknown.errors.contains("the column 'Nr' is neither a field of customers nor an attribute"))
        let mapping = ["--map", "Nr=id", "--map", "note=-", "--country", "DE"]
        let attributes = ["--attribute", "age:number", "--attribute", "city:text", "--attribute", "likes:list"]
        let first = try await Program.run(
            ["customers", "import", table, "--ledger", ledger, "--subscribed", "yes", "--proof", "form 9"] + mapping + attributes)
        #expect(first.status == 0 && first.output == "2 customers added, 0 updated, 1 of their addresses not valid\n", "\(first)")
        let again = try await Program.run(["customers", "import", table, "--ledger", ledger] + mapping)
        #expect(again.output == "0 customers added, 2 updated, 1 of their addresses not valid\n", "\(again)")
        let shown = try await customers("show", "ann@example.com")
        #expect(shown.output.contains("email: subscribed since") && shown.output.contains("proof form 9"), "\(shown)")
        let exported = try await customers("export")
        #expect(exported.output.contains("7,enabled,,,,,Ann@example.com,+4915112345678,,,subscribed,subscribed,,,41,'=1+1,"), "\(exported)")
        let copy = try folder.write(exported.output, to: "copy.csv")
        let other = folder.path("other.sqlite")
        let taken = try await Program.run(["customers", "import", copy, "--ledger", other] + attributes)
        #expect(taken.status == 0, "\(taken.errors)")
        #expect(try await Program.run(["customers", "export", "--ledger", other]).output == exported.output)
    }

    @Test func badRowsAreNamedAndNothingIsImported() async throws {
        let table = try folder.write("id,email,status\n1,a@x.com,\n,b@x.com,\n3,c@x.com,gone\n", to: "c.csv")
        let bad = try await customers("import", table)
        #expect(bad.status == 1 && bad.errors.contains("c.csv:3: column 'id': is empty") && bad.errors.contains("c.csv:4: column 'status'"))
        let skipped = try await customers("import", table, "--skip-invalid", "--output", "json")
        #expect(
            skipped.output
                == #"{"rows":3,"invalid":2,"added":1,"updated":0,"invalid_addresses":0,"subscriptions":0}"# + "\n", "\(skipped)")
        let removed = try await customers("remove", "1", "--yes")
        #expect(removed.output == "removed: 1 customer\n")
        let nobody = try await customers("remove", "1", "--yes")
        #expect(nobody.status == 1 && nobody.errors.contains("there are no such customers: 1 of 1"), "\(nobody)")
    }
}
