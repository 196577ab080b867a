/// A command line that is understood and cannot be carried out; the exit status is 1.
struct CommandError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
