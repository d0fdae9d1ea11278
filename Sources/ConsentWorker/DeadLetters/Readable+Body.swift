import ConsentContract

extension Rejection.Readable {
    /// What can be read of a body, be it a valid command or not.
    init(body: [UInt8]) {
        do throws(Rejection) {
            self.init(try CommandDecoder.decode(body))
        } catch {
            self = error.readable
        }
    }
}
