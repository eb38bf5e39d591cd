//! An act as somebody says it in JSON: whole, or only what is to be done.

use portcullis_core::id::{AccountId, PrincipalId};
use portcullis_core::{Digest, Span, Time};
use portcullis_host::Random;
use serde_json::{Map, Value, json};

/// An act in JSON, as far as somebody says it. What it leaves open is filled in around it.
#[derive(Clone, Debug)]
pub struct Outline(Map<String, Value>);

/// Who asks, where the outline does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// A customer, on its own account.
    Customer {
        /// Who.
        principal: PrincipalId,
        /// Its account.
        account: AccountId,
    },
    /// A member of staff, or a service.
    Staff {
        /// Who.
        principal: PrincipalId,
    },
    /// Nobody that is known: the outline has to say.
    Unsaid,
}

/// What surrounds an act, but for the checkpoint.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The network's genesis digest.
    pub genesis: Digest,
    /// Who asks.
    pub asker: Asker,
    /// When it is.
    pub now: Time,
    /// How long the act may be submitted.
    pub life: Span,
    /// Where its id comes from.
    pub random: &'a dyn Random,
}

impl Outline {
    /// A kind by itself has its name under `type`; an act has its kind under `kind`.
    #[must_use]
    pub fn new(said: Map<String, Value>) -> Self {
        if said.contains_key("kind") {
            return Self(said);
        }
        let kind = Value::Object(said);
        Self(Map::from_iter([("kind".to_owned(), kind)]))
    }

    /// Whether it names a checkpoint: if not, a gate has to be asked for one.
    #[must_use]
    pub fn names_checkpoint(&self) -> bool {
        self.0.contains_key("checkpoint")
    }

    /// The whole act, where what is said counts before what surrounds it.
    #[must_use]
    pub fn within(
        self,
        around: &Surroundings<'_>,
        checkpoint: Option<Digest>,
    ) -> Map<String, Value> {
        let mut act = Map::new();
        let mut put = |name: &str, value: Value| act.insert(name.to_owned(), value);
        match around.asker {
            Asker::Customer { principal, account } => {
                put("realm", json!("customers"));
                put("principal", json!(principal));
                put("account", json!(account));
            }
            Asker::Staff { principal } => {
                put("realm", json!("staff"));
                put("principal", json!(principal));
            }
            Asker::Unsaid => {}
        }
        put("genesis", json!(around.genesis));
        put(
            "id",
            json!(portcullis_core::id::ActId(around.random.array())),
        );
        put("expires", json!(around.now.after(around.life)));
        if let Some(checkpoint) = checkpoint {
            put("checkpoint", json!(checkpoint));
        }
        act.extend(self.0);
        act
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::{Act, ActKind};
    use portcullis_host::SystemRandom;

    fn around(asker: Asker) -> Surroundings<'static> {
        Surroundings {
            genesis: Digest([7; 32]),
            asker,
            now: Time(1_000),
            life: Span::seconds(600),
            random: &SystemRandom,
        }
    }

    fn whole(said: Value, asker: Asker) -> Result<Act, serde_json::Error> {
        let Value::Object(said) = said else {
            unreachable!("these are objects")
        };
        let act = Outline::new(said).within(&around(asker), Some(Digest([9; 32])));
        serde_json::from_value(Value::Object(act))
    }

    #[test]
    fn a_kind_alone_becomes_the_askers_act() -> Result<(), serde_json::Error> {
        let (principal, account) = (PrincipalId([1; 16]), AccountId([2; 16]));
        let act = whole(
            json!({ "type": "freeze" }),
            Asker::Customer { principal, account },
        )?;
        assert_eq!((act.principal, act.account), (principal, Some(account)));
        assert_eq!(
            (act.genesis, act.checkpoint),
            (Digest([7; 32]), Digest([9; 32]))
        );
        assert_eq!((act.expires, act.kind), (Time(601_000), ActKind::Freeze));
        Ok(())
    }

    #[test]
    fn what_is_said_counts() -> Result<(), serde_json::Error> {
        let other = AccountId([3; 16]);
        let said = json!({ "account": other, "expires": 5, "kind": { "type": "freeze" } });
        let staff = Asker::Staff {
            principal: PrincipalId([1; 16]),
        };
        let act = whole(said, staff)?;
        assert_eq!((act.account, act.expires), (Some(other), Time(5)));
        assert!(whole(json!({ "type": "freeze" }), Asker::Unsaid).is_err());
        Ok(())
    }
}
