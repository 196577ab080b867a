import Bounces
import Foundation
import Model
import Testing

@Suite struct AgreementTests {
    @Test func agreesWithTheLabels() throws {
        let folder = "/work/shared/data/bounces"
        var map: [String: String] = [:]
        for line in try String(contentsOfFile: folder + "/reasons.csv", encoding: .utf8).split(separator: "\n").dropFirst() {
            let parts = line.split(separator: ","); map[String(parts[0])] = String(parts[1])
        }
        var total = 0, hardOK = 0, reasonOK = 0, badSupp = 0
        for line in try String(contentsOfFile: folder + "/expected.ndjson", encoding: .utf8).split(separator: "\n") {
            let row = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let file = try #require(row["file"] as? String)
            let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: folder + "/" + file)))
            let parts = MailParts(bytes)
            let path = parts.header["return-path"]
            let mail = ReturnedMail(parts, isNull: path.filter { $0 != " " } == "<>")
            let expected = try #require(row["bounces"] as? [[String: Any]])
            for (i, e) in expected.enumerated() {
                total += 1
                let label = e["reason"] as? String ?? ""
                let want = map[label] ?? "?"
                let wantHard = (e["hard"] as? Int ?? 0) == 1
                let got = i < mail.recipients.count ? mail.recipients[i] : nil
                var reason = got?.reason.rawValue ?? "missing"
                if mail.kind == .delivered { reason = "none" }
                let hard = got.map { $0.isHard && mail.kind != .delivered } ?? false
                if hard == wantHard { hardOK += 1 }
                if reason == want { reasonOK += 1 }
                let ours: Set<String> = ["reputation", "authentication", "set_up", "rate", "spam", "content", "policy", "network", "system"]
                let supp = got?.suppresses == true && ours.contains(want)
                if supp { badSupp += 1 }
                if reason != want || hard != wantHard || supp {
                    print("DIFF \(hard == wantHard ? " " : "H")\(supp ? "S" : " ") \(file)#\(i) want \(want)/\(label) got \(reason) kind \(mail.kind) \(got?.status ?? "") \(got?.code ?? 0) | \(got?.text.prefix(150) ?? "") | \(got?.address ?? "")")
                }
            }
        }
        print("AGREE hard \(Double(hardOK) / Double(total) * 100) reason \(Double(reasonOK) / Double(total) * 100) of \(total); suppressed wrongly \(badSupp)")
    }
}
