//! What only other systems do: Windows, tools that stand for a service, language models. `config` shows it;
//! planning refuses what cannot be left out.

use std::collections::BTreeMap;

use indexmap::IndexMap;

/// What only other systems do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Foreign {
    /// `cpu_count:`, processors on Windows.
    pub cpu_count: Option<i64>,
    /// `cpu_percent:`, share of processors on Windows.
    pub cpu_percent: Option<i64>,
    /// `isolation:`; Linux engines know `default` only.
    pub isolation: Option<String>,
    /// `credential_spec:`, a managed account of Windows.
    pub credential_spec: Option<CredentialSpec>,
    /// `provider:`, a tool that stands for the service.
    pub provider: Option<Provider>,
    /// `models:`, language models by their keys at the top.
    pub models: IndexMap<String, ModelVariables>,
}

/// Where a managed account of Windows is described.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CredentialSpec {
    /// A config of the project.
    pub config: Option<String>,
    /// A file.
    pub file: Option<String>,
    /// A value in the registry of Windows.
    pub registry: Option<String>,
}

/// A tool that stands for a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Which tool.
    pub kind: String,
    /// Its options; each may be given several times.
    pub options: BTreeMap<String, Vec<String>>,
}

/// The environment variables by which a service learns of a language model; `None` means names made of the
/// model's key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelVariables {
    /// Gets the address.
    pub endpoint: Option<String>,
    /// Gets the model's name.
    pub model: Option<String>,
}
