/// Makes segments of tokens, with names resolved to columns.
struct TemplateCompiler {
    private enum Target: Equatable {
        case column(Int)
        case reference(CompiledTemplate.Reference)
    }

    /// A section whose end has not come yet.
    private struct OpenSection {
        var name: String
        var offset: Int
        /// Where its segment stands; its target is nil when its name is unknown.
        var segment: Int
        var target: Target?
        var isInverted: Bool
    }

    private let source: TemplateSource
    private let fields: FieldNames
    private let form: OutputForm
    private var result: CompiledTemplate
    private var open: [OpenSection] = []
    private static let deepest = 100
    private var isInTarget = false
    private(set) var problems: [TemplateError.Problem] = []

    init(source: TemplateSource, fields: FieldNames, form: OutputForm) {
        self.source = source
        self.fields = fields
        self.form = form
        result = CompiledTemplate(width: fields.names.count)
        result.kindsColumn = fields.kinds
    }

    mutating func compile(_ tokens: [TemplateToken]) -> CompiledTemplate {
        for token in tokens {
            switch token.kind {
            case .text(let bytes): result.appendLiteral(bytes, as: currentForm)
            case .variable(let name, _) where fields.page(name) != nil:
                if let page = fields.page(name) { result.segments.append(.tracker(page, currentForm.pageForm(at: token.place))) }
            case .variable(let name, let escaped):
                guard let target = resolve(name, at: token.offset, asSection: false) else { continue }
                let valueForm = currentForm.valueForm(escaped: escaped, at: token.place)
                switch written(target, name, at: token.place) {
                case .column(let column): result.segments.append(.field(UInt32(column), valueForm))
                case .reference(let reference): result.segments.append(.reference(add(reference), valueForm))
                }
            case .open(let name, let isInverted): begin(name, isInverted, at: token.offset)
            case .close(let name): close(name, at: token.offset)
            case .link(let mark): take(mark, at: token.place)
            }
        }
        for section in open.reversed() { reportUnclosed(section) }
        return result
    }

    /// The target of a counted link is a text, whatever its message is.
    private var currentForm: OutputForm { isInTarget ? .plain(.none) : form }

    private mutating func take(_ mark: LinkMark, at place: ValuePlace) {
        switch mark {
        case .target(let number): beginLink(number, .signed(form.body))
        case .shortTarget(let number): beginLink(number, .short(form.pageForm(at: place)))
        case .origin:
            isInTarget = false
            result.links[result.links.count - 1].origin = result.segments.count
        case .end: result.links[result.links.count - 1].end = result.segments.count
        case .pixel: result.segments.append(.pixel(form.body))
        case .exempt, .exemptEnd: break
        }
    }

    private mutating func beginLink(_ number: UInt16, _ form: CompiledTemplate.Link.Form) {
        isInTarget = true
        result.segments.append(.link(UInt32(result.links.count)))
        result.links.append(CompiledTemplate.Link(number: number, form: form))
    }

    /// What NDJSON has as a list or an object may stand outside of a string as it is; a text may not. Each value tells which it is.
    private func written(_ target: Target, _ name: String, at place: ValuePlace) -> Target {
        guard place == .jsonScalar, case .column(let column) = target, fields.isNested(column) else { return target }
        return .reference(CompiledTemplate.Reference(path: [Array(name.utf8)], column: column, columnPath: []))
    }

    private mutating func fail(at offset: Int, _ what: String, _ remedy: String) {
        guard problems.count < TemplateError.most else { return }
        problems.append(source.problem(at: offset, what, remedy))
    }

    private mutating func add(_ reference: CompiledTemplate.Reference) -> UInt32 {
        if let index = result.references.firstIndex(of: reference) { return UInt32(index) }
        result.references.append(reference)
        return UInt32(result.references.count - 1)
    }

    private mutating func begin(_ name: String, _ isInverted: Bool, at offset: Int) {
        if open.count == Self.deepest {
            fail(at: offset, "more than \(Self.deepest) sections inside of each other", "make the template flatter")
        }
        let target = resolve(name, at: offset, asSection: true)
        open.append(
            OpenSection(
                name: name, offset: offset, segment: result.segments.count, target: target, isInverted: isInverted))
        switch target {
        case .column(let column):
            let column = UInt32(column)
            result.segments.append(isInverted ? .inverted(column: column, end: 0) : .section(column: column, end: 0))
        case .reference(let reference):
            let index = add(reference)
            result.segments.append(isInverted ? .nestedInverted(index, end: 0) : .nestedSection(index, end: 0))
        case nil: break
        }
    }

    private mutating func close(_ name: String, at offset: Int) {
        guard open.contains(where: { $0.name == name }) else {
            let innermost = open.last.map { "close '\($0.name)' here with {{/\($0.name)}}, or " } ?? ""
            return fail(
                at: offset, "'{{/\(name)}}' closes a section that is not open",
                "\(innermost)open it before with {{#\(name)}} or {{^\(name)}}")
        }
        while let section = open.popLast() {
            if section.target != nil { setEnd(of: section.segment) }
            if section.name == name { return }
            reportUnclosed(section)
        }
    }

    private mutating func setEnd(of segment: Int) {
        let end = UInt32(result.segments.count)
        switch result.segments[segment] {
        case .section(let column, _): result.segments[segment] = .section(column: column, end: end)
        case .inverted(let column, _): result.segments[segment] = .inverted(column: column, end: end)
        case .nestedSection(let reference, _): result.segments[segment] = .nestedSection(reference, end: end)
        case .nestedInverted(let reference, _): result.segments[segment] = .nestedInverted(reference, end: end)
        default: break
        }
    }

    private mutating func reportUnclosed(_ section: OpenSection) {
        fail(
            at: section.offset, "the section '\(section.name)' that begins here has no end",
            "close it with {{/\(section.name)}}")
    }

    // MARK: Names

    private mutating func resolve(_ name: String, at offset: Int, asSection: Bool) -> Target? {
        let enclosing = open.last { !$0.isInverted }
        let isInsideNested = open.contains { section in
            if case .reference = section.target, !section.isInverted { true } else { false }
        }
        if name == "." {
            guard let enclosing else {
                fail(at: offset, "'{{.}}' stands outside of a section", "name a field, or put it into a section")
                return nil
            }
            guard case .column = enclosing.target else {
                return enclosing.target == nil
                    ? nil : .reference(CompiledTemplate.Reference(path: [], column: nil, columnPath: []))
            }
            return enclosing.target
        }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map { Array($0.utf8) }
        guard !parts.contains([]) else {
            fail(
                at: offset, "'\(name)' has an empty part",
                "write a field, or parts with one dot between them: order.total")
            return nil
        }
        var found: (column: Int, rest: ArraySlice<[UInt8]>)?
        if let column = fields.column(name) {
            found = (column, [])
        } else if parts.count > 1, let column = fields.column(String(decoding: parts[0], as: UTF8.self)) {
            guard fields.isNested(column) || isInsideNested else {
                fail(
                    at: offset, "'\(name)' looks into the field '\(fields.names[column])', which is plain text",
                    "only fields that are objects in NDJSON can be looked into")
                return nil
            }
            found = (column, parts.dropFirst())
        }
        if let found { note(found.column) }
        if isInsideNested || found.map({ !$0.rest.isEmpty || asSection && fields.isNested($0.column) }) == true {
            return .reference(
                CompiledTemplate.Reference(path: parts, column: found?.column, columnPath: found?.rest ?? []))
        }
        guard let found else {
            let (what, remedy) = fields.unknown(name)
            fail(at: offset, what, remedy)
            return nil
        }
        return .column(found.column)
    }

    private mutating func note(_ column: Int) {
        if !result.columns.contains(column) { result.columns.append(column) }
        if fields.isNested(column) { result.nestedColumns.insert(column) }
    }
}
