import Model
import Templates
import Text

extension MailingCheck {
    /// `attachments:`, `inline:` and `calendar:`, and the pictures that the HTML names; nil for none. The bytes are taken now: what becomes
    /// of the files later changes no message.
    mutating func files(html: Mailing.Template) -> MailFiles? {
        var files = MailFiles()
        var room = MailFiles.mostBytes
        for (item, key) in items("attachments") {
            guard let file = file(item, key: key, room: &room) else { continue }
            if files.attachments.contains(where: { $0.name == file.name }) { report(item, key: key, "has the name '\(file.name)' twice") }
            files.attachments.append(file)
        }
        for (item, key) in items("inline") {
            guard let file = file(item, key: key, room: &room) else { continue }
            if let fault = MailFile.fault(ofContentID: file.name) { report(item, key: key, "'\(file.name)' \(fault)") }
            if files.inline.contains(where: { $0.name == file.name }) { report(item, key: key, "has the name '\(file.name)' twice") }
            files.inline.append(file)
        }
        for found in ContentIDs.find(in: html) where !files.inline.contains(where: { $0.name == found.name }) {
            if let file = picture(found, html.file, room: &room) { files.inline.append(file) }
        }
        if let entry = entry("inline"), self.entry("html") == nil {
            report(entry, at: entry.keyPlace, "is shown in the HTML, and the mailing has none; add html, or make it an attachment")
        }
        files.calendar = calendar(room: &room)
        if files.all.count > MailFiles.most { report(entry("attachments") ?? entry("inline"), "has more than \(MailFiles.most) files") }
        return files.isEmpty ? nil : files
    }

    /// The items of a list, or a single one, each with its key.
    private mutating func items(_ key: String) -> [(Entry, String)] {
        guard let entry = entry(key) else { return [] }
        guard case .sequence(let items) = entry.value else { return [(entry, key)] }
        if items.isEmpty { report(entry, "is empty; give it a file or leave it out") }
        return items.prefix(MailFiles.most + 1).enumerated().map { ($1, "\(key)[\($0 + 1)]") }
    }

    /// A file of an item: its name, or a mapping with further keys.
    private mutating func file(_ item: Entry, key: String, room: inout Int) -> MailFile? {
        var values: [String: String] = [:]
        if case .mapping(let entries) = item.value {
            let known = ["file", "name", "type"]
            for inner in entries {
                if !known.contains(inner.key) {
                    report(
                        inner, key: "\(key).\(inner.key)", at: inner.keyPlace,
                        "is no key of a file; \(suggestion(inner.key, known, "the keys are"))")
                } else if let value = scalar(inner, key: "\(key).\(inner.key)") {
                    values[inner.key] = value
                }
            }
            // A misspelt key is said alone.
            if !entries.contains(where: { $0.key == "file" }), entries.allSatisfy({ known.contains($0.key) }) {
                report(item, key: key, "names no file: {file: terms.pdf, name: Terms.pdf}")
            }
        } else {
            values["file"] = scalar(item, key: key)
        }
        guard let given = values["file"], let bytes = read(given, item, key: key, room: &room) else { return nil }
        let name = values["name"] ?? given
        if let fault = MailFile.fault(ofName: name) { report(item, key: key, "the name '\(name)' \(fault)") }
        if let type = values["type"], let fault = MediaType.fault(type) { report(item, key: key, "the type '\(type)' \(fault)") }
        return MailFile(bytes, name: name, type: MediaType.header(values["type"] ?? MediaType.ofFile(given), bytes))
    }

    /// A picture that the HTML names.
    private mutating func picture(_ found: ContentIDs.Found, _ path: String, room: inout Int) -> MailFile? {
        let place = MailingDocument.Place(line: found.line, column: found.column)
        func refuse(_ text: String) {
            problems.append(
                .init(file: path, line: place.line, column: place.column, key: "html", text: "cid:\(found.name) \(text)"))
        }
        if found.hasField {
            refuse("has a merge field in it; name the file itself")
        } else if let fault = MailFile.fault(ofContentID: found.name) {
            refuse(fault)
        } else if !MediaType.ofFile(found.name).hasPrefix("image/") {
            // The recipients' list may lie beside the mailing file: only what is a picture by its name is sent unasked.
            refuse("is no picture by its name, such as logo.png; list another file under 'inline:' if everybody is to get it")
        } else {
            switch BinaryFile.read(TextFile.beside(document.path, found.name), limit: room) {
            case .failure(let fault): refuse("names a picture beside the mailing file that \(fault)")
            case .success(let bytes):
                room -= bytes.count
                return MailFile(bytes, name: found.name, type: MediaType.header(MediaType.ofFile(found.name), bytes))
            }
        }
        return nil
    }

    private mutating func calendar(room: inout Int) -> MailFile? {
        guard let entry = entry("calendar"), let given = scalar(entry, key: "calendar"),
            let bytes = read(given, entry, key: "calendar", room: &room)
        else { return nil }
        do throws(CalendarText.Fault) {
            let calendar = try CalendarText(bytes)
            return MailFile(calendar.bytes, name: given, type: "text/calendar; method=\(calendar.method); charset=utf-8")
        } catch {
            report(entry, key: "calendar", "the file \(given) \(error)")
            return nil
        }
    }

    /// The bytes of a file beside the mailing file.
    private mutating func read(_ name: String, _ entry: Entry, key: String, room: inout Int) -> [UInt8]? {
        if let fault = MailFile.fault(ofName: name) {
            report(entry, key: key, "'\(name)' \(fault)")
            return nil
        }
        let path = TextFile.beside(document.path, name)
        switch BinaryFile.read(path, limit: room) {
        case .failure(let fault):
            report(entry, key: key, "the file \(path) \(fault)")
            return nil
        case .success(let bytes):
            room -= bytes.count
            return bytes
        }
    }
}
