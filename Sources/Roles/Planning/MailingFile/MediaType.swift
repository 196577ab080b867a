import Text

/// The types of files (RFC 2046).
enum MediaType {
    /// By the ending of a file's name.
    private static let known = [
        "pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
        "svg": "image/svg+xml", "txt": "text/plain", "csv": "text/csv", "html": "text/html", "ics": "text/calendar", "vcf": "text/vcard",
        "json": "application/json", "xml": "application/xml", "zip": "application/zip", "mp3": "audio/mpeg", "mp4": "video/mp4",
        "doc": "application/msword", "xls": "application/vnd.ms-excel", "ppt": "application/vnd.ms-powerpoint",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt": "application/vnd.oasis.opendocument.text",
        "ods": "application/vnd.oasis.opendocument.spreadsheet", "pkpass": "application/vnd.apple.pkpass",
    ]

    static func ofFile(_ name: String) -> String {
        guard let dot = name.lastIndex(of: ".") else { return "application/octet-stream" }
        return known[name[name.index(after: dot)...].lowercased()] ?? "application/octet-stream"
    }

    /// Why a text is no type of a file; nil where it is one.
    static func fault(_ type: String) -> String? {
        let parts = type.split(separator: "/", omittingEmptySubsequences: false)
        // RFC 6838 section 4.2.
        let isName = parts.allSatisfy { part in
            1...127 ~= part.utf8.count && part.utf8.allSatisfy { $0.isLetterOrDigit || "!#$&-^_.+".utf8.contains($0) }
        }
        guard parts.count == 2, isName, type.utf8.count <= 150 else { return "is no media type, such as application/pdf" }
        return ["multipart", "message"].contains(parts[0].lowercased()) ? "is of a message's parts, and none of a file" : nil
    }

    /// The value of Content-Type: of a text that is UTF-8, it says so.
    static func header(_ type: String, _ bytes: [UInt8]) -> String {
        guard type.lowercased().hasPrefix("text/"), String(validating: bytes, as: UTF8.self) != nil else { return type }
        return "\(type); charset=utf-8"
    }
}
