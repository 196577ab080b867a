import CPQ
import Text

/// A ledger's URL as libpq reads it, which takes the parts of a password that is not escaped for host, port or database. Such a URL is
/// refused: whatever is shown of one that is taken is none of a password, and no error quotes one that is not.
enum PostgreSQLURL {
    /// What a URL says, by libpq's names.
    static func options(of url: String) throws(PostgreSQLError) -> [String: String] {
        try requireEscaped(url)
        guard let found = parse(url) else { throw refusal(fault(in: url)) }
        guard found["port"]?.utf8.allSatisfy({ $0.isDigit || $0 == UInt8(ascii: ",") }) != false else {
            throw refusal("has a port that is no number; \(advice)")
        }
        guard found["user"]?.contains(":") != true else { throw refusal("has a ':' in its user; \(advice)") }
        return found
    }

    private static let form = "write postgres://user@host/database"
    private static let advice = """
        in a user or password write %40 for an @, %2F for a /, %3A for a : and %25 for a %, or leave the password to PGPASSWORD or ~/.pgpass
        """

    private static func refusal(_ why: String) -> PostgreSQLError {
        PostgreSQLError(kind: .permanent, detail: "the ledger's URL \(why)")
    }

    /// Makes sure that libpq and a person find the parts of a URL at the same places.
    private static func requireEscaped(_ url: String) throws(PostgreSQLError) {
        guard !url.utf8.contains(where: \.isControl), let start = url.firstRange(of: "://") else {
            throw refusal("cannot be read; \(form)")
        }
        var rest = url[start.upperBound...]
        if let at = rest.firstIndex(of: "@") {
            guard rest.lastIndex(of: "@") == at, !rest[..<at].contains("/") else {
                throw refusal("has an @ behind its host; \(advice)")
            }
            rest = rest[rest.index(after: at)...]
        }
        let place = rest.prefix { $0 != "?" }
        guard place.utf8.allSatisfy({ $0.isLetterOrDigit || $0 >= 0x80 || "-._~%:/[],$+".utf8.contains($0) }) else {
            throw refusal("has a character in host or database that has to be written as % and two digits; parameters stand behind a ?")
        }
    }

    /// What libpq does not take of a URL, in words without any of its values.
    private static func fault(in url: String) -> String {
        let parameters = url.firstIndex(of: "?").map { url[url.index(after: $0)...] } ?? ""
        for parameter in parameters.split(separator: "&", omittingEmptySubsequences: false) {
            let name = parameter.prefix { $0 != "=" }
            guard name.endIndex < parameter.endIndex else {
                return "has a parameter without a value; write name=value, and %26 for a & in a value"
            }
            // What stands behind a password may be a part of it.
            if name.lowercased().contains("password") { break }
            let isName = name.count <= 40 && name.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "_") }
            if isName, !keywords.contains(String(name)) {
                return "has the parameter '\(name)', which libpq does not know; correct it or leave it out"
            }
        }
        return "cannot be read; \(form), with %25 for a % in it"
    }

    private static let keywords = Set(all(in: PQconninfoParse("postgres://", nil)).map { $0.name } + ["ssl"])

    private static func parse(_ url: String) -> [String: String]? {
        guard let options = PQconninfoParse(url, nil) else { return nil }
        return Dictionary(all(in: options).compactMap { option in option.value.map { (option.name, $0) } }) { $1 }
    }

    /// Frees the options.
    private static func all(in options: UnsafeMutablePointer<PQconninfoOption>?) -> [(name: String, value: String?)] {
        defer { PQconninfoFree(options) }
        var found: [(name: String, value: String?)] = []
        guard var option = options else { return [] }
        while let keyword = option.pointee.keyword {
            found.append((String(cString: keyword), option.pointee.val.map { String(cString: $0) }))
            option += 1
        }
        return found
    }
}
