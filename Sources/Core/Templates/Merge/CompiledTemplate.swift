package import Model

/// A Mustache template (interpolation, sections, inverted sections, comments, delimiter changes) compiled for the fields of
/// one mailing. Rendering parses nothing and looks no name up, unless the template looks into JSON values.
package struct CompiledTemplate: Sendable {
    /// A step of rendering. Jumps are indexes into `segments`.
    enum Segment: Sendable, Equatable {
        /// Bytes of `literals`, copied.
        case literal(UInt32, UInt32)
        /// Bytes of `literals` that begin with a dot, which is doubled where a line begins with it.
        case dotLiteral(UInt32, UInt32)
        /// Bytes of `literals` that become quoted-printable while rendering, as the line before them depends on values.
        case quotedLiteral(UInt32, UInt32)
        case field(UInt32, ValueForm)
        /// Go on with the next segment when the column's value is true, else jump.
        case section(column: UInt32, end: UInt32)
        case inverted(column: UInt32, end: UInt32)
        /// A field or section that needs the values of an enclosing section, or a look into JSON: indexes into `references`.
        case reference(UInt32, ValueForm)
        case nestedSection(UInt32, end: UInt32)
        case nestedInverted(UInt32, end: UInt32)
        /// A link that is counted: an index into `links`.
        case link(UInt32)
        case pixel(BodyForm)
        /// The address of a page of the tracker.
        case tracker(TrackerPage, ValueForm)
    }

    /// A name that is looked up while rendering.
    struct Reference: Sendable, Equatable {
        /// The name's parts, looked for in the values of the enclosing sections; empty for `{{.}}`.
        var path: [[UInt8]]
        /// The column that the name stands for where no enclosing section has it.
        var column: Int?
        /// What follows the column in the name.
        var columnPath: ArraySlice<[UInt8]>
    }

    /// A link that is counted where a message is tracked. The segments of its target as text follow, from which the address of the
    /// tracker is made, and then those of the target as it was written, for other messages.
    struct Link: Sendable, Equatable {
        /// How the address of the tracker is written.
        enum Form: Sendable, Equatable {
            /// With the target in it.
            case signed(BodyForm)
            /// A token alone, whose target is looked up.
            case short(ValueForm)
        }

        var number: UInt16
        var form: Form
        /// Where the segments of the target as it was written begin.
        var origin = 0
        var end = 0
    }

    var literals: [UInt8] = []
    var segments: [Segment] = []
    var references: [Reference] = []
    var links: [Link] = []
    /// The columns that may be parsed as JSON.
    var nestedColumns: Set<Int> = []
    /// The column that says which values are JSON lists and objects (`ValueKinds`); nil where what can be read as one is one.
    var kindsColumn: Int?
    /// The columns that are written or looked into, each once.
    var columns: [Int] = []
    /// Values a row must have at least.
    let width: Int

    /// A template without segments yet.
    init(width: Int) { self.width = width }

    /// - Parameters:
    ///   - fields: the names of a recipient's values, in their order.
    ///   - nested: those of them whose values may be JSON lists or objects, for sections and dotted names.
    ///   - pages: the pages of the tracker that are fields, too.
    /// - Throws: `TemplateError` with all that is wrong in the template.
    package init(
        _ template: Mailing.Template, fields: [String], nested: [String] = [], pages: Set<TrackerPage> = [], escaping: Escaping
    ) throws(TemplateError) {
        let source = TemplateSource(template)
        var (tokens, problems) = TemplateParser.parse(source)
        let names = FieldNames(fields, nested: nested, pages: pages)
        tokens = tokens.placed(in: escaping, of: source, fields: names, &problems)
        try self.init(tokens, of: source, fields: names, form: .plain(escaping), problems: problems)
    }

    /// - Parameters:
    ///   - tokens: with the places of their values.
    ///   - problems: what was found before; it is thrown together with what is found here.
    init(
        _ tokens: [TemplateToken], of source: TemplateSource, fields: FieldNames, form: OutputForm,
        problems: [TemplateError.Problem] = []
    ) throws(TemplateError) {
        var compiler = TemplateCompiler(source: source, fields: fields, form: form)
        self = compiler.compile(tokens)
        let all = problems + compiler.problems
        guard all.isEmpty else { throw TemplateError(all.sorted { ($0.line, $0.column) < ($1.line, $1.column) }) }
    }

    /// It has the address of a page of the tracker.
    func names(_ page: TrackerPage) -> Bool {
        segments.contains { if case .tracker(page, _) = $0 { true } else { false } }
    }

    /// The template looks into values, or writes them as the JSON that they are.
    var isNested: Bool { !references.isEmpty }
}
