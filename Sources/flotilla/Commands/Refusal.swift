/// What cannot be done as asked, though the command line is understood: exit status 1.
struct Refusal: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
