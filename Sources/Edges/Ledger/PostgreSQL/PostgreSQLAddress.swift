package import Text

/// Where a ledger's database is, as libpq's URL says it.
package struct PostgreSQLAddress: Sendable {
    /// What libpq takes, with whatever secrets are in it.
    let url: String
    /// User, host, port and database, and nothing else of the URL.
    package let name: String
    /// By what a machine's own files of this ledger are known: letters, digits, `.`, `_` and `-`.
    package let fileName: String

    /// - Throws: `LedgerError.refused` for a URL that libpq cannot read.
    package init(_ url: Secret) throws(LedgerError) { try self.init(url: url.exposed) }

    /// Whether a URL tells the password, or the passphrase of a key; a file with it does not.
    package static func hasPassword(_ url: Secret) -> Bool {
        guard let given = try? PostgreSQLURL.options(of: url.exposed) else {
            let (text, user) = (url.exposed, url.exposed.split(separator: "://", maxSplits: 1).last ?? "")
            return text.lowercased().contains("password") || user.lastIndex(of: "@").map { user[..<$0].contains(":") } ?? false
        }
        return given["password"] != nil || given["sslpassword"] != nil
    }

    init(url: String) throws(LedgerError) {
        let given: [String: String]
        do throws(PostgreSQLError) { given = try PostgreSQLURL.options(of: url) } catch { throw .refused("\(error)") }
        self.url = url
        let host = given["host"] ?? given["hostaddr"] ?? ""
        let (port, database) = (given["port"] ?? "", given["dbname"] ?? "")
        // A socket's folder stands behind the ? in a URL.
        let isSocket = host.hasPrefix("/") || host.contains(",/")
        let place = isSocket ? port.isEmpty ? "" : ":" + port : Self.places(host, port)
        name = """
            postgres://\(given["user"].map { $0 + "@" } ?? "")\(place)/\(database)\(isSocket ? "?host=" + host : "")
            """
        let words = [host, port, database].filter { !$0.isEmpty }.joined(separator: "-")
        let readable = words.utf8.map { $0.isLetterOrDigit || ".-".utf8.contains($0) ? $0 : UInt8(ascii: "_") }.prefix(60)
        // Ledgers in schemas of one database differ in the options.
        let all = [host, port, database, given["options"] ?? ""].joined(separator: "\0")
        let hash = String(all.utf8.reduce(FNV.seed64) { FNV.step($0, $1) }, radix: 16)
        fileName = "\(String(decoding: readable, as: UTF8.self))-\(hash)"
    }

    /// Hosts with their ports, as a URL has them: libpq gives the two apart from each other. One port is that of all hosts.
    private static func places(_ host: String, _ port: String) -> String {
        let hosts = host.split(separator: ",", omittingEmptySubsequences: false)
        let ports = port.split(separator: ",", omittingEmptySubsequences: false)
        return hosts.enumerated().map { place, host in
            let port = ports.count == hosts.count ? ports[place] : ports.first ?? ""
            return port.isEmpty ? String(host) : "\(host):\(port)"
        }.joined(separator: ",")
    }
}
