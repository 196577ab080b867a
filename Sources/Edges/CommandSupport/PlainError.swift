import Foundation
import ServiceLifecycle

/// An error of a library in our words, for those who read it on a terminal or in a log.
package struct PlainError: Error, CustomStringConvertible {
    package let description: String

    /// - Returns: the error itself where it is one of ours, which says what happened and what to do.
    package static func of(_ error: any Error) -> any Error {
        if error is ServiceGroupError {
            return PlainError(
                description: "a part of this process ended by itself; the lines of the log before this one say which, and why")
        }
        guard type(of: error) is NSError.Type || error is CocoaError || error is POSIXError else { return error }
        return PlainError(description: text(error as NSError))
    }

    /// What the system says, with the file where one is concerned.
    private static func text(_ error: NSError) -> String {
        let cause = (error.userInfo[NSUnderlyingErrorKey] as? NSError) ?? error
        let said = cause.domain == NSPOSIXErrorDomain ? String(cString: strerror(Int32(clamping: cause.code))) : cause.localizedDescription
        guard let path = (error.userInfo[NSFilePathErrorKey] as? String) ?? (error.userInfo[NSURLErrorKey] as? URL)?.path else {
            return said
        }
        return "\(path): \(said)"
    }
}
