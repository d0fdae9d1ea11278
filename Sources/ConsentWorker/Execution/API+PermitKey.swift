import ConsentContract
import MicrosoftAPI

extension API {
    /// Names the permits of an application's limit: all pods must use the same.
    func permitKey(of application: GUID) -> String {
        switch self {
        case .partnerCenter: "partner-center.\(application)"
        case .graph: "graph.\(application)"
        }
    }
}
